package helm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"

	"helm.sh/helm/v4/pkg/chart/common"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// A Chart is a chart that was read. It is safe for concurrent use and never
// modified.
type Chart struct {
	Name       string
	Version    string
	AppVersion string
	Digest     string // of the archive, or of the files of a directory: sha256:…

	chart *v2.Chart
	size  int64
	stuck atomic.Bool // its templates did not come to an end
}

// maxArchive bounds a packed chart; the library bounds what it unpacks to.
const maxArchive = 20 << 20

// Load reads a packed chart.
func Load(archive []byte) (*Chart, error) {
	chart, err := loader.LoadArchive(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("read the chart: %w", err)
	}
	return newChart(chart, digestOf(archive))
}

func newChart(chart *v2.Chart, digest string) (*Chart, error) {
	if chart.Metadata == nil {
		return nil, errors.New("the chart has no Chart.yaml")
	}
	if err := chart.Validate(); err != nil {
		return nil, fmt.Errorf("the chart is not valid: %w", err)
	}
	if chart.Metadata.Type == "library" {
		return nil, fmt.Errorf("%q is a library chart: it gives templates to others and nothing itself", chart.Name())
	}
	if err := complete(chart); err != nil {
		return nil, err
	}
	if err := closeSchemas(chart); err != nil {
		return nil, err
	}
	return &Chart{
		Name: chart.Name(), Version: chart.Metadata.Version, AppVersion: chart.Metadata.AppVersion, Digest: digest,
		chart: chart, size: slim(chart),
	}, nil
}

// slim drops what rendering does not need and returns the size of the rest.
func slim(chart *v2.Chart) int64 {
	chart.Raw = nil
	var size int64
	for _, files := range [][]*common.File{chart.Templates, chart.Files} {
		for _, f := range files {
			size += int64(len(f.Data))
		}
	}
	for _, d := range chart.Dependencies() {
		size += slim(d)
	}
	return size
}

// complete says which charts that it depends on are not packed with a chart.
func complete(chart *v2.Chart) error {
	for _, want := range chart.Metadata.Dependencies {
		found := false
		for _, has := range chart.Dependencies() {
			found = found || has.Name() == want.Name
		}
		if !found {
			return fmt.Errorf("the chart %q is not packed with %q, which depends on it: run `helm dependency build`", want.Name, chart.Name())
		}
	}
	return nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
