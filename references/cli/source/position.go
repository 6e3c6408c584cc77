package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// At returns FILE:LINE:COLUMN of the field at path, for example
// spec.components[0].properties.image, or of the nearest field around it that
// exists.
func (d Document) At(path string) string {
	if d.root == nil {
		return d.File
	}
	node := d.root
	at := node
	for _, step := range steps(path) {
		key, next := step.into(node)
		if next == nil {
			break
		}
		at, node = key, next
	}
	return fmt.Sprintf("%s:%d:%d", d.File, at.Line+d.line, at.Column)
}

// Has reports whether the field at path is written in the document.
func (d Document) Has(path string) bool {
	node := d.root
	for _, step := range steps(path) {
		if node == nil {
			return false
		}
		_, node = step.into(node)
	}
	return node != nil
}

// A step is one part of a path: a key or an index.
type step struct {
	key   string
	index int // -1 for a key
}

// pathPart matches one part: [3], ["a.b/c"], or a name.
var pathPart = regexp.MustCompile(`\[(\d+)\]|\["([^"]*)"\]|"([^"]*)"|([^.\[\]"]+)`)

func steps(path string) []step {
	var out []step
	for _, m := range pathPart.FindAllStringSubmatch(path, -1) {
		if m[1] != "" {
			index, err := strconv.Atoi(m[1])
			if err != nil {
				return out
			}
			out = append(out, step{index: index})
			continue
		}
		out = append(out, step{key: m[2] + m[3] + m[4], index: -1})
	}
	return out
}

// into returns the value one step further and the node to point at, nil when
// there is none. A key on a list looks into its items, because some messages
// leave the index out.
func (s step) into(node *yaml.Node) (at, next *yaml.Node) {
	node = resolve(node)
	switch node.Kind {
	case yaml.SequenceNode:
		if s.index >= 0 {
			if s.index < len(node.Content) {
				return node.Content[s.index], resolve(node.Content[s.index])
			}
			return nil, nil
		}
		for _, item := range node.Content {
			if at, next := s.into(item); next != nil {
				return at, next
			}
		}
	case yaml.MappingNode:
		for i := len(node.Content) - 2; i >= 0 && s.index < 0; i -= 2 { // the last one counts
			if strings.EqualFold(node.Content[i].Value, s.key) {
				return node.Content[i], resolve(node.Content[i+1])
			}
		}
	}
	return nil, nil
}

// child is the value of key in a map.
func child(node *yaml.Node, key string) *yaml.Node {
	_, next := step{key: key, index: -1}.into(node)
	return next
}

// resolve follows an alias.
func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// kindOf says in a word what a node is.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return kindOf(node.Alias)
	default:
		return fmt.Sprintf("%q", node.Value)
	}
}
