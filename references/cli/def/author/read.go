package author

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// Stdin is the name of what comes from standard input.
const Stdin = "stdin"

// Read returns the definitions behind the names in order: files in CUE, YAML or
// JSON, folders with everything in them, http and https URLs, and - for in.
// Other objects in YAML are left out. The error joins one Problem for each
// mistake in any file; the definitions without one come with it.
func Read(ctx context.Context, in io.Reader, names ...string) ([]Definition, error) {
	var defs []Definition
	var errs []error
	for _, name := range names {
		files, err := filesOf(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			found, err := readOne(ctx, in, file)
			defs = append(defs, found...)
			errs = append(errs, err)
		}
	}
	err := errors.Join(errs...)
	if err == nil && len(defs) == 0 {
		err = fmt.Errorf("%s: there is no definition in it", strings.Join(names, ", "))
	}
	return defs, err
}

// filesOf lists the files that a name stands for.
func filesOf(name string) ([]string, error) {
	if name == "-" || isURL(name) {
		return []string{name}, nil
	}
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, console.Usagef("%s: there is no such file or folder", name)
	}
	if err != nil || !info.IsDir() {
		return []string{name}, err
	}
	var files []string
	err = filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != name && (e.Name() == "cue.mod" || e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".")):
			return filepath.SkipDir
		case e.IsDir():
			return nil
		}
		wanted, err := mayDefine(path)
		if wanted {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// aDefinition matches what every definition in YAML or JSON has.
var aDefinition = regexp.MustCompile(`kind["']?\s*:\s*["']?\w*Definition\b`)

// mayDefine reports whether a file of a folder is to be read. Folders hold much
// beside definitions, which need not even be YAML, whatever it is called.
func mayDefine(path string) (bool, error) {
	switch filepath.Ext(path) {
	case ".cue":
		return true, nil
	case ".yaml", ".yml", ".json":
		data, err := os.ReadFile(path)
		return aDefinition.Match(data), err
	}
	return false, nil
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

func readOne(ctx context.Context, in io.Reader, file string) ([]Definition, error) {
	switch {
	case isURL(file):
		docs, err := source.Read(ctx, in, file)
		if err != nil {
			return nil, err
		}
		return fromDocuments(docs, nil)
	case file == "-":
		data, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return Parse(Stdin, string(data))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, string(data))
}

// aDocument matches what YAML and JSON objects have and CUE definitions do not.
var aDocument = regexp.MustCompile(`(?m)^(\s*\{|---|apiVersion:|kind:|items:)`)

// Parse reads definitions from the text of a file. What has no telling name is
// taken for what it looks like.
func Parse(file, text string) ([]Definition, error) {
	ext := filepath.Ext(file)
	if ext == ".cue" || ext == "" && !aDocument.MatchString(text) {
		d, err := parseCUE(file, text)
		if err != nil {
			return nil, err
		}
		return []Definition{d}, nil
	}
	docs, err := source.Parse(file, []byte(text))
	if err != nil {
		return nil, err
	}
	return fromDocuments(docs, strings.Split(text, "\n"))
}

func parseCUE(file, text string) (Definition, error) {
	obj, err := definition.ParseCUE(file, text)
	if err != nil {
		return Definition{}, Join(syntax(file, text, err))
	}
	d, err := of(file, obj)
	d.Source, d.lines, d.places = text, strings.Split(text, "\n"), definition.Places(file, text)
	return d, err
}

func of(file string, obj client.Object) (Definition, error) {
	d, err := definition.FromObject(obj)
	if err != nil {
		return Definition{}, Problem{File: file, Message: err.Error()}
	}
	return Definition{Definition: d, File: file, Wire: obj}, nil
}

func fromDocuments(docs []source.Document, lines []string) ([]Definition, error) {
	var out []Definition
	var errs []error
	for _, doc := range docs {
		if !definition.IsDefinition(doc.Object) {
			continue
		}
		typed, err := connect.Scheme().New(doc.Object.GroupVersionKind())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doc.At("kind"), err)
		}
		if _, err := doc.Decode(typed); err != nil {
			errs = append(errs, err)
			continue
		}
		typed.GetObjectKind().SetGroupVersionKind(doc.Object.GroupVersionKind())
		d, err := of(doc.File, typed.(client.Object))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.lines, d.places = lines, documentPlaces(doc, lines)
		out = append(out, d)
	}
	return out, errors.Join(errs...)
}

// lineOf finds the line in a place: a.yaml:3:5.
var lineOf = regexp.MustCompile(`:(\d+):\d+$`)

// documentPlaces finds the texts in a YAML document: a block begins in the line
// below its key.
func documentPlaces(doc source.Document, lines []string) map[string]definition.Place {
	out := map[string]definition.Place{}
	for name, path := range map[string]string{
		definition.TemplateText:     "spec.schematic.cue.template",
		definition.HealthPolicyText: "spec.status.healthPolicy",
		definition.CustomStatusText: "spec.status.customStatus",
		definition.DetailsText:      "spec.status.details",
	} {
		m := lineOf.FindStringSubmatch(doc.At(path))
		if m == nil || !doc.Has(path) {
			continue
		}
		line := atoi(m[1])
		if line > len(lines) {
			continue
		}
		_, value, _ := strings.Cut(lines[line-1], ":")
		if value = strings.TrimSpace(value); strings.HasPrefix(value, "|") {
			out[name] = definition.Run(line+1, len(lines)-line)
		} else {
			out[name] = definition.Run(line, 1)
		}
	}
	return out
}
