// Package image writes a container image that holds one static program, as the
// archive that `docker save` writes and container runtimes import.
//
// The same program gives the same bytes: there are no times in the archive.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// nobody is the user that the program runs as.
const nobody = "65532"

// An Image is one program and what it is called.
type Image struct {
	Program      string // file name in the image, and its entry point
	Reference    string
	Ports        []int
	Binary       string // path of the program on this machine
	Architecture string
}

// WriteFile writes the archive to path, in one step.
func (i Image) WriteFile(path string) error {
	tmp := path + ".tmp"
	f, err := os.Create(tmp)
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	defer f.Close()
	if err := i.Write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	return os.Rename(tmp, path)
}

// Write writes the archive.
func (i Image) Write(w io.Writer) error {
	program, err := os.ReadFile(i.Binary)
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	layer, err := archive(
		entry{name: "tmp/", mode: 0o1777},
		entry{name: i.Program, mode: 0o755, data: program},
	)
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	config, err := i.config(digest(layer))
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	layerName, configName := digest(layer)+".tar", digest(config)+".json"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{i.Reference}, "Layers": []string{layerName},
	}})
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	all, err := archive(
		entry{name: configName, mode: 0o644, data: config},
		entry{name: layerName, mode: 0o644, data: layer},
		entry{name: "manifest.json", mode: 0o644, data: manifest},
	)
	if err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	if _, err := w.Write(all); err != nil {
		return fmt.Errorf("image %q: %w", i.Reference, err)
	}
	return nil
}

func (i Image) config(layer string) ([]byte, error) {
	ports := map[string]struct{}{}
	for _, p := range i.Ports {
		ports[fmt.Sprintf("%d/tcp", p)] = struct{}{}
	}
	return json.Marshal(map[string]any{
		"os":           "linux",
		"architecture": i.Architecture,
		"config": map[string]any{
			"Entrypoint":   []string{"/" + filepath.Base(i.Program)},
			"User":         nobody,
			"ExposedPorts": ports,
			"WorkingDir":   "/",
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
	})
}

// An entry is a file, or with a name that ends in a slash a directory.
type entry struct {
	name string
	mode int64
	data []byte
}

func archive(entries ...entry) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if e.data == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buf.Bytes(), err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
