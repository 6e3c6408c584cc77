package process

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// maxLine is the longest log line that is looked at; etcd and panics write
// long ones.
const maxLine = 1 << 20

// troubled matches the lines that say what went wrong: klog's errors and fatal
// ones, and what everybody else writes.
var troubled = regexp.MustCompile(`^[EF]\d{4} |(?i)\b(error|fatal|panic|failed|cannot|refused)\b`)

// A Failure says that a process does not come up, and where to look.
type Failure struct {
	Name     string
	Log      string
	Restarts int
	Err      error // why the waiting ended, when it was not the restarts
}

func (f *Failure) Error() string {
	msg := fmt.Sprintf("%s did not become ready", f.Name)
	if f.Restarts > 0 {
		msg = fmt.Sprintf("%s ended %d times before it was ready", f.Name, f.Restarts)
	}
	if line := LastError(f.Log); line != "" {
		msg += ": " + line
	}
	return msg + " (log: " + f.Log + ")"
}

func (f *Failure) Unwrap() error { return f.Err }

// LastError returns the last line of a log that tells of an error that is not
// just our own note that the process ended; else that note; else "".
func LastError(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var last, note string
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "vela-local: error: "):
			note = line
		case troubled.MatchString(line):
			last = line
		}
	}
	if last == "" {
		return note
	}
	return last
}
