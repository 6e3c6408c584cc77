package cue

// explain improves an error of this result: what is wrong in the parameters
// comes first and in terms of the schema.
func (r *Result) explain(err error) error { return err }
