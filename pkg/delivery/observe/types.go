package observe

// A Health is what is known about one component or trait in one placement.
type Health struct {
	Component string
	Type      string // of the component
	Trait     string // "" for the workload
	Cluster   string
	Namespace string
	Replica   string
	// WorkloadAPIVersion and WorkloadKind are of the workload object.
	WorkloadAPIVersion string
	WorkloadKind       string

	Known   bool // false: the cluster could not be asked; never healthy
	Healthy bool
	Pending bool // a PostDispatch trait that is not sent yet
	Message string
	Details map[string]string
}
