package console

import (
	"fmt"
	"time"
)

// patience is how long a person waits without being told what for.
const patience = time.Second

// While does something that may take a moment. On a terminal text says so after
// a second, and goes away at the end.
func (s IO) While(text string, do func() error) error {
	if !s.ErrTerminal {
		return do()
	}
	ended, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-ended:
		case <-time.After(patience):
			fmt.Fprintf(s.Err, "\r\x1b[K%s", s.ErrStyle().Dim(text+" ..."))
			<-ended
			fmt.Fprint(s.Err, "\r\x1b[K")
		}
	}()
	err := do()
	close(ended)
	<-told
	return err
}
