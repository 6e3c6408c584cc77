// Package schema describes the parameters of a definition as OpenAPI v3, for
// documentation, forms and hints. It reads evaluated CUE and knows nothing of
// where definitions come from.
package schema
