package helm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// openLocal reads a directory or a packed chart of this machine.
func openLocal(path string) (*Chart, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("chart %q: %w", path, err)
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		archive, err := readBounded(f, maxArchive)
		if err != nil {
			return nil, fmt.Errorf("chart %q: %w", path, err)
		}
		return Load(archive)
	}
	chart, err := loader.LoadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read the chart %q: %w", path, err)
	}
	digest, err := digestOfDir(path)
	if err != nil {
		return nil, fmt.Errorf("chart %q: %w", path, err)
	}
	return newChart(chart, digest)
}

// digestOfDir is over the names and contents of all files.
func digestOfDir(dir string) (string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	sort.Strings(names)
	sum := sha256.New()
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return "", err
		}
		rel, err := filepath.Rel(dir, n)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.ToSlash(rel), len(b))
		sum.Write(b)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// readBounded reads no more than limit bytes, and fails when there are more.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("more than %d MiB", limit>>20)
	}
	return b, err
}
