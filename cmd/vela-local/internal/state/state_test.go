package state

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func free(int) bool { return false }

func settings(members ...string) Settings {
	return Settings{Members: members, Nodes: "auto", ControlPlane: true}
}

func plan(t *testing.T, s State, want Settings, taken func(int) bool) State {
	t.Helper()
	next, err := s.Plan(want, 7, taken)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func slots(s State) map[string]int {
	out := map[string]int{}
	for _, c := range s.Clusters {
		out[c.Name] = c.Slot
	}
	return out
}

// installed returns path with the directories of an installation.
func installed(t *testing.T, path string) Dir {
	t.Helper()
	dir, err := At(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPlan(t *testing.T) {
	first := plan(t, State{}, settings("staging"), free)
	cases := map[string]struct {
		from  State
		want  Settings
		taken func(int) bool
		slots map[string]int
	}{
		"the first start gives every cluster a slot of its own": {want: settings("staging"), taken: free, slots: map[string]int{"hub": 7, "staging": 8}},
		"slots that the machine uses are left out":              {want: settings("staging"), taken: func(s int) bool { return s == 7 || s == 9 }, slots: map[string]int{"hub": 8, "staging": 10}},
		"slots wrap around": {want: settings("staging"), taken: func(s int) bool { return s >= 7 }, slots: map[string]int{"hub": 0, "staging": 1}},
		"a remembered cluster keeps its slot though it uses it": {from: first, want: settings("staging", "production"), taken: func(s int) bool { return s <= 8 }, slots: map[string]int{"hub": 7, "staging": 8, "production": 9}},
		"a member that is left out is remembered":               {from: first, want: settings(), taken: free, slots: map[string]int{"hub": 7, "staging": 8}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := plan(t, tc.from, tc.want, tc.taken)
			if diff := cmp.Diff(tc.slots, slots(got)); diff != "" {
				t.Errorf("Plan() slots mismatch (-want +got):\n%s", diff)
			}
			var active []string
			for _, c := range got.Active() {
				active = append(active, c.Name)
			}
			if diff := cmp.Diff(append([]string{Hub}, tc.want.Members...), active); diff != "" {
				t.Errorf("Active() mismatch (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := (State{}).Plan(settings(), 0, func(int) bool { return true }); err == nil {
		t.Error("Plan() found a slot on a machine without any")
	}
}

func TestPortsAreKeptUnlessTaken(t *testing.T) {
	first := plan(t, State{}, settings("staging"), free)
	if diff := cmp.Diff(first, plan(t, first, settings("staging"), free)); diff != "" {
		t.Errorf("a second start changed the state (-first +second):\n%s", diff)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first.Clusters[1].Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	moved := plan(t, first, settings("staging"), free)
	if moved.Clusters[1].Port == first.Clusters[1].Port {
		t.Errorf("port %d is taken and still planned", moved.Clusters[1].Port)
	}
	moved.Clusters[1].Port = first.Clusters[1].Port
	if diff := cmp.Diff(first, moved); diff != "" {
		t.Errorf("something else moved too (-first +second):\n%s", diff)
	}
	ports := map[int]bool{first.MetricsPort: true, first.HealthPort: true, first.WebhookPort: true}
	for _, c := range first.Clusters {
		ports[c.Port] = true
	}
	if len(ports) != 5 {
		t.Errorf("ports are used twice: %v", ports)
	}
}

func TestValidate(t *testing.T) {
	cases := map[string]struct {
		settings Settings
		want     string
	}{
		"the default is fine":           {settings: settings("staging", "production")},
		"no members are fine":           {settings: settings()},
		"the hub is no member":          {settings: settings("hub"), want: `--members: "hub" is the name of the hub itself`},
		"nor is local":                  {settings: settings("local"), want: `--members: "local" is the name of the hub itself`},
		"a name comes once":             {settings: settings("a", "a"), want: `--members: "a" is named twice`},
		"a name is a DNS label":         {settings: settings("A/b"), want: `--members: "A/b" is no cluster name`},
		"an unknown kind of node":       {settings: Settings{Nodes: "fake"}, want: `--nodes: want auto, real or simulated, got "fake"`},
		"a path is no name of a member": {settings: settings("../x"), want: `--members: "../x" is no cluster name`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.settings.Validate()
			if (err == nil) != (tc.want == "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("Validate() = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := installed(t, filepath.Join(t.TempDir(), "new", "dir"))
	if got, err := Load(dir); err != nil || dir.Exists() {
		t.Fatalf("Load() of nothing = %+v, %v", got, err)
	}
	want := plan(t, State{}, settings("staging"), free)
	if err := want.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load() mismatch (-want +got):\n%s", diff)
	}
}

func TestRemoveTakesOnlyWhatIsOurs(t *testing.T) {
	foreign := installed(t, t.TempDir())
	if err := foreign.Remove(); err == nil {
		t.Error("Remove() deletes a directory that is no installation")
	}
	dir := installed(t, filepath.Join(t.TempDir(), "data"))
	if err := (State{}).Save(dir); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir.String(), "note.txt")
	if err := os.WriteFile(note, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dir.Remove(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name() != "note.txt" {
		t.Errorf("Remove() left %v, want the user's note alone", left)
	}
}

func TestRotateLogsKeepsTheLastRun(t *testing.T) {
	dir := installed(t, t.TempDir())
	if err := os.WriteFile(dir.Log("hub"), []byte("E0101 old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dir.RotateLogs(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir.Log("hub")); err == nil {
		t.Error("the log of the last run is still in place")
	}
	if data, err := os.ReadFile(dir.Log("hub") + ".1"); err != nil || string(data) != "E0101 old" {
		t.Errorf("the log of the last run = %q, %v", data, err)
	}
}

func TestLongPathsGetShortSockets(t *testing.T) {
	for _, dir := range []Dir{"/d", Dir("/" + strings.Repeat("long/", 40))} {
		if socket := dir.Socket(); len(socket) > maxSocketPath {
			t.Errorf("socket of %s has %d characters, the kernel allows %d", dir, len(socket), maxSocketPath)
		}
	}
}
