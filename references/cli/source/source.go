// Package source reads what a user gives with -f: files, folders, URLs and
// standard input, with one or several documents each. It keeps the position
// of every field, so that whatever is wrong with it later can be reported as
// FILE:LINE:COLUMN. It talks to no cluster and judges no Application.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// maxBytes is the most that one file or answer may hold.
const maxBytes = 16 << 20

// Read returns the documents behind the names in order: a file, a folder (its
// .yaml, .yml, .json and .cue files, by name), an http or https URL, or - for
// in.
func Read(ctx context.Context, in io.Reader, names ...string) ([]Document, error) {
	var docs []Document
	for _, name := range names {
		more, err := read(ctx, in, name)
		if err != nil {
			return nil, err
		}
		docs = append(docs, more...)
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("%s: no documents found", strings.Join(names, ", "))
	}
	return docs, nil
}

func read(ctx context.Context, in io.Reader, name string) ([]Document, error) {
	switch {
	case name == "-":
		data, err := limited(in, "standard input")
		if err != nil {
			return nil, err
		}
		return Parse("stdin", data)
	case strings.HasPrefix(name, "http://"), strings.HasPrefix(name, "https://"):
		return fetch(ctx, name)
	}
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, console.Usagef("%s: there is no such file or folder", name)
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return readFile(name)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var docs []Document
	for _, entry := range entries {
		ext := filepath.Ext(entry.Name())
		if entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json", ".cue"}, ext) {
			continue
		}
		more, err := readFile(filepath.Join(name, entry.Name()))
		if err != nil {
			return nil, err
		}
		docs = append(docs, more...)
	}
	return docs, nil
}

func readFile(name string) ([]Document, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limited(f, name)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(name) == ".cue" {
		return parseCUE(name, data)
	}
	return Parse(name, data)
}

func fetch(ctx context.Context, url string) ([]Document, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, console.Usagef("%s: %v", url, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: the server answers %s", url, resp.Status)
	}
	data, err := limited(resp.Body, url)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(url, ".cue") {
		return parseCUE(url, data)
	}
	return Parse(url, data)
}

func limited(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%s: more than %d MiB", name, maxBytes>>20)
	}
	return data, nil
}

// parseCUE reads a definition as its author writes it.
func parseCUE(name string, data []byte) ([]Document, error) {
	obj, err := definition.ParseCUE(name, string(data))
	if err != nil {
		return nil, err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(content, "status")
	return []Document{{File: name, Object: &unstructured.Unstructured{Object: content}}}, nil
}
