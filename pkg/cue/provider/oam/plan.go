package oam

// A Plan is what a delivery is going to do, as an approval shows and remembers
// it. Secrets must be masked in Text.
type Plan struct {
	Digest  string  `json:"digest"`
	Entries []Entry `json:"entries,omitempty"` // every write, in order
}

// An Entry is one write of a plan.
type Entry struct {
	Object string `json:"object"`           // "production: Deployment.apps default/web"
	Action string `json:"action"`           // create, update, recreate, adopt, share, delete
	Wanted string `json:"wanted,omitempty"` // digest of the wanted content
	Text   string `json:"text,omitempty"`   // what changes, masked: "spec.replicas: 2 -> 3"
}
