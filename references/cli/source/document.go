package source

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A Document is one object that the user wrote.
type Document struct {
	File   string
	Object *unstructured.Unstructured

	// Warnings are about the text itself, each with its position.
	Warnings []string

	line int        // of the first line of the document in File, from 0
	root *yaml.Node // nil when the object was not written in YAML
}

// separator is a line that ends a document.
var separator = regexp.MustCompile(`(?m)^---([ \t].*)?\r?$`)

// Parse reads the YAML or JSON documents in data; file is for messages.
// Objects of kind List are opened.
func Parse(file string, data []byte) ([]Document, error) {
	var docs []Document
	for _, part := range split(data) {
		more, err := parseOne(file, part.line, part.text)
		if err != nil {
			return nil, err
		}
		docs = append(docs, more...)
	}
	return docs, nil
}

// A part is the text of one document and the line where it starts.
type part struct {
	line int
	text []byte
}

func split(data []byte) []part {
	var parts []part
	start, line := 0, 0
	for _, at := range separator.FindAllIndex(data, -1) {
		parts = append(parts, part{line, data[start:at[0]]})
		line += bytes.Count(data[start:at[1]], []byte("\n"))
		start = at[1]
	}
	return append(parts, part{line, data[start:]})
}

func parseOne(file string, line int, text []byte) ([]Document, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, syntaxError(file, line, text, err)
	}
	if root.Kind == 0 || len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
		return nil, nil // nothing but comments
	}
	node := root.Content[0]
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d:%d: want an object with apiVersion and kind, got %s", file, node.Line+line, node.Column, kindOf(node))
	}
	asJSON, err := sigsyaml.YAMLToJSON(text)
	if err != nil {
		return nil, syntaxError(file, line, text, err)
	}
	var content map[string]any
	if err := utiljson.Unmarshal(asJSON, &content); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, node.Line+line, err)
	}
	doc := Document{File: file, Object: &unstructured.Unstructured{Object: content}, line: line, root: node}
	if items, isList := content["items"].([]any); isList && content["kind"] == "List" {
		return doc.open(items)
	}
	if err := doc.identify(); err != nil {
		return nil, err
	}
	doc.Warnings = doc.duplicates(node)
	return []Document{doc}, nil
}

// open returns the items of a List.
func (d Document) open(items []any) ([]Document, error) {
	var docs []Document
	nodes := child(d.root, "items")
	for i, item := range items {
		content, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: want an object", d.At(fmt.Sprintf("items[%d]", i)))
		}
		doc := Document{File: d.File, Object: &unstructured.Unstructured{Object: content}, line: d.line, root: resolve(nodes.Content[i])}
		if err := doc.identify(); err != nil {
			return nil, err
		}
		doc.Warnings = doc.duplicates(doc.root)
		docs = append(docs, doc)
	}
	return docs, nil
}

// identify checks that the document says what it is.
func (d Document) identify() error {
	if _, appfile := d.Object.Object["services"].(map[string]any); appfile && d.Object.GetKind() == "" {
		return console.Hint(fmt.Errorf("%s: this is an Appfile, which has services and no kind; only Applications are supported", d.At("services")),
			"write it as kind: Application, with one entry in spec.components for each service")
	}
	for _, field := range []string{"apiVersion", "kind"} {
		if text, ok := d.Object.Object[field].(string); !ok || text == "" {
			return fmt.Errorf("%s: the document has no %s", d.At(field), field)
		}
	}
	return nil
}

// duplicates warns of keys that are written twice in one map.
func (d Document) duplicates(node *yaml.Node) []string {
	var warnings []string
	if node.Kind == yaml.MappingNode {
		first := map[string]*yaml.Node{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if before, again := first[key.Value]; again && key.Tag != "!!merge" {
				warnings = append(warnings, fmt.Sprintf("%s:%d:%d: %q is written twice, first in line %d; the last one counts",
					d.File, key.Line+d.line, key.Column, key.Value, before.Line+d.line))
				continue
			}
			first[key.Value] = key
		}
	}
	for _, inner := range node.Content {
		warnings = append(warnings, d.duplicates(inner)...)
	}
	return warnings
}

// yamlLine finds the line in a message of the YAML parser.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// stops returns the line that a parser cannot go on at. The one that says what it
// misses names the line where the map or list began; the other one names the
// line, counted from 0.
func stops(text []byte, began int) int {
	_, err := sigsyaml.YAMLToJSON(text)
	if err == nil {
		return began
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return began
	}
	at, _ := strconv.Atoi(m[1])
	return at + 1
}

// syntaxError says where text stops being YAML, shows the line, and names the
// usual cause.
func syntaxError(file string, line int, text []byte, err error) error {
	message := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "error converting YAML to JSON: "), "yaml: ")
	at := 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		at, _ = strconv.Atoi(m[1])
		message = strings.Replace(message, m[0], "", 1)
	}
	if strings.HasPrefix(message, "did not find expected") {
		at = stops(text, at)
	}
	lines := strings.Split(string(text), "\n")
	shown := ""
	if at >= 1 && at <= len(lines) {
		shown = strings.TrimRight(lines[at-1], "\r")
	}
	problem := fmt.Errorf("%s:%d: not valid YAML: %s\n  %d | %s", file, at+line, message, at+line, shown)
	switch {
	case strings.Contains(shown, "\t"):
		return console.Hint(problem, "indent with spaces: YAML does not allow tabs")
	case strings.Contains(message, "mapping values"):
		return console.Hint(problem, `check the indentation, and put text that contains ": " in quotes`)
	case strings.HasPrefix(message, "did not find expected"):
		return console.Hint(problem, "compare the indentation of this line with the lines above it, and look for a bracket or quote that is not closed")
	default:
		return problem
	}
}
