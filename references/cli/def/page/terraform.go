package page

import (
	"regexp"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// variable matches the head of a variable in Terraform's language.
var variable = regexp.MustCompile(`(?m)^\s*variable\s+"?([\w-]+)"?\s*\{`)

// setting matches what a variable says about itself.
var setting = regexp.MustCompile(`(?m)^\s*(description|type|default)\s*=\s*(.+?)\s*$`)

// variables is the table of a Terraform module: its variables, as far as the
// definition holds them, and what steers every module. A module in a repository
// is not fetched.
func variables(tf *v1beta1.Terraform) Table {
	var t Table
	if tf.Type != v1beta1.TerraformRemote {
		text := tf.Configuration
		for _, m := range variable.FindAllStringSubmatchIndex(text, -1) {
			t.Rows = append(t.Rows, variableRow(text[m[2]:m[3]], block(text[m[1]:])))
		}
	}
	t.Rows = append(t.Rows,
		Row{Name: "writeConnectionSecretToRef", Description: "Secret that receives the outputs of the module", Type: "object with name and namespace"},
		Row{Name: "providerRef", Description: "Terraform provider to use", Type: "object with name and namespace"},
		Row{Name: "customRegion", Description: "Region instead of that of the provider", Type: "string"},
		Row{Name: "forceDelete", Description: "Delete without waiting for the cloud", Type: "bool"},
	)
	return t
}

func variableRow(name, body string) Row {
	row := Row{Name: name, Type: "string", Required: true}
	for _, m := range setting.FindAllStringSubmatch(body, -1) {
		value := strings.Trim(m[2], `"`)
		switch m[1] {
		case "description":
			row.Description = value
		case "type":
			row.Type = value
		case "default":
			row.Default, row.Required = m[2], false
		}
	}
	return row
}

// block returns the text up to the brace that closes it.
func block(text string) string {
	depth := 1
	for i, c := range text {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return text[:i]
			}
		}
	}
	return text
}
