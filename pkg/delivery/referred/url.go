package referred

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// fetch returns the objects of a file in the network, each with where it is from.
func (f *Finder) fetch(ctx context.Context, url string) ([]map[string]any, error) {
	if f.Frozen != nil {
		return f.Frozen.from(url), nil
	}
	if f.Fetch == nil {
		return nil, fault.Invalid(v1beta1.ReasonForbidden, fmt.Errorf("refers to %s: URLs are not allowed here", url))
	}
	data, err := f.Fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	objects, err := parse(data)
	if err == nil && len(objects) == 0 {
		err = errors.New("there is no object in it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	for _, o := range objects {
		u := &unstructured.Unstructured{Object: o}
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[oam.AnnotationResourceURL] = url
		u.SetAnnotations(annotations)
	}
	return objects, nil
}

// Web fetches through a client of templates: within its limits, and past its
// guard.
func Web(client *velahttp.Client) func(ctx context.Context, url string) ([]byte, error) {
	return func(ctx context.Context, url string) ([]byte, error) {
		req, err := http.NewRequest(http.MethodGet, url, http.NoBody) //nolint:noctx // Fetch sets it
		if err != nil {
			return nil, err
		}
		if req.URL.Scheme != "https" && req.URL.Scheme != "http" {
			return nil, fmt.Errorf("%s is no address of the web: want https://", url)
		}
		answer, err := client.Fetch(ctx, req, velahttp.FetchOptions{})
		if err != nil {
			return nil, err
		}
		if answer.Status != http.StatusOK {
			return nil, fmt.Errorf("%s: the server answered with status %d", url, answer.Status)
		}
		return answer.Body, nil
	}
}

// Read returns the objects in the YAML and JSON files of folders.
func Read(paths ...string) (Files, error) {
	var out Files
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			objects, err := parse(data)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			for _, o := range objects {
				out = append(out, unstructured.Unstructured{Object: o})
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
	}
	return out, nil
}

// parse reads the objects of YAML documents; Lists are opened.
func parse(data []byte) ([]map[string]any, error) {
	var out []map[string]any
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for i := 1; ; i++ {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		text, err := sigsyaml.YAMLToJSON(doc)
		if err != nil {
			return nil, fmt.Errorf("document %d is not YAML: %w", i, err)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 || string(text) == "null" {
			continue
		}
		v, err := provider.Unmarshal(text)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		o, ok := v.(map[string]any)
		if !ok || o["apiVersion"] == nil || o["kind"] == nil {
			return nil, fmt.Errorf("document %d is no object of Kubernetes: it has no apiVersion and kind", i)
		}
		if o["kind"] != "List" {
			out = append(out, o)
			continue
		}
		items, _ := o["items"].([]any)
		for _, item := range items {
			if m, ok := item.(map[string]any); ok {
				out = append(out, m)
			}
		}
	}
	return out, nil
}
