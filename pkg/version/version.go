// Package version says which build is running.
package version

import (
	"cmp"
	"runtime/debug"
)

// Release is the version of this line of development.
const Release = "0.1.0-dev"

// Info identifies a build.
type Info struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a changed work tree
	Go       string `json:"go,omitempty"`
}

// Current returns the identity of the running binary, as the Go tool chain
// recorded it.
func Current() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return Info{Version: Release}
	}
	return from(build)
}

// String returns the identity of the running binary in one line.
func String() string { return Current().String() }

func from(build *debug.BuildInfo) Info {
	info := Info{Version: Release, Go: build.GoVersion}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Commit = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}

// String returns "0.1.0-dev (1a2b3c4d5e6f, modified)".
func (i Info) String() string {
	commit := i.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if i.Modified {
		commit = cmp.Or(commit, "unknown") + ", modified"
	}
	if commit == "" {
		return i.Version
	}
	return i.Version + " (" + commit + ")"
}
