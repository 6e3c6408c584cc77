package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrite(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "built")
	if err := os.WriteFile(binary, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	img := Image{Program: "hello", Reference: "docker.io/vela/hello:1.0", Ports: []int{8080}, Binary: binary, Architecture: "amd64"}
	var first, second bytes.Buffer
	if err := errors.Join(img.Write(&first), img.Write(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same program gives different bytes")
	}
	files := read(t, first.Bytes())
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{img.Reference}, manifest[0].RepoTags); diff != "" {
		t.Errorf("tags mismatch (-want +got):\n%s", diff)
	}
	layer := files[manifest[0].Layers[0]]
	if got := read(t, layer); string(got["hello"]) != "program" {
		t.Errorf("the layer holds %v", got)
	}
	var config struct {
		Config struct{ Entrypoint []string }
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/hello"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entry point mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sha256:" + digest(layer)}, config.Rootfs.DiffIDs); diff != "" {
		t.Errorf("layer digests mismatch (-want +got):\n%s", diff)
	}
}

func TestAMissingProgramIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image.tar")
	err := Image{Reference: "r", Binary: "/nowhere"}.WriteFile(path)
	if want := `image "r": open /nowhere: no such file or directory`; err == nil || err.Error() != want {
		t.Errorf("WriteFile() = %v, want %s", err, want)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a failed build leaves an archive")
	}
}
