package compression_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/seed-c5f95f19/vela/apis/compression"
)

func TestRoundTrip(t *testing.T) {
	want := map[string]any{"a": []any{"b", 1.5, nil, true}, "long": strings.Repeat("x", 10_000)}
	for _, typ := range []compression.Type{compression.Gzip, compression.Zstd} {
		t.Run(string(typ), func(t *testing.T) {
			text, err := compression.Pack(typ, want)
			if err != nil {
				t.Fatal(err)
			}
			if len(text.Data) > 500 {
				t.Errorf("Pack() needs %d bytes for 10,000 equal ones", len(text.Data))
			}
			again, err := compression.Pack(typ, want)
			if err != nil || again != text {
				t.Errorf("Pack() of the same value differs: %v, %v (%v)", text, again, err)
			}
			var got map[string]any
			if err := compression.Unpack(text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Unpack(Pack(...)) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnpackRefuses(t *testing.T) {
	cases := map[string]struct {
		text compression.Text
		want string
	}{
		"an unknown type":                   {compression.Text{Type: "lz4", Data: "YQ=="}, `unknown compression type "lz4", expected "gzip" or "zstd"`},
		"text that is not base64":           {compression.Text{Type: compression.Gzip, Data: "%"}, "not base64"},
		"bytes that are not gzip":           {compression.Text{Type: compression.Gzip, Data: "YQ=="}, "read gzip"},
		"bytes that are not zstd":           {compression.Text{Type: compression.Zstd, Data: "YWJjZGVm"}, "read zstd"},
		"a small gzip that grows too large": {compression.Text{Type: compression.Gzip, Data: gzipBomb(t)}, "larger than 64 MiB"},
		"a small zstd that grows too large": {compression.Text{Type: compression.Zstd, Data: zstdBomb(t)}, "larger than 64 MiB"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got any
			err := compression.Unpack(tc.text, &got)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Unpack(...) error = %v, want it to contain %q", err, tc.want)
			}
		})
	}
}

func TestPackRefusesAnUnknownType(t *testing.T) {
	if _, err := compression.Pack("", 1); err == nil {
		t.Error(`Pack("") succeeded, want an error`)
	}
}

// gzipBomb returns a gzip text of more than what is accepted.
func gzipBomb(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	fill(t, w)
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}

// zstdBomb does the same as a stream, which does not say its size beforehand.
func zstdBomb(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w)
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}

func fill(t *testing.T, w io.WriteCloser) {
	t.Helper()
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for n := 0; n <= compression.MaxUnpacked; n += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkPack(b *testing.B) {
	value := strings.Repeat(`{"apiVersion":"core.oam.dev/v1beta1","kind":"ComponentDefinition"}`, 400)
	for _, typ := range []compression.Type{compression.Gzip, compression.Zstd} {
		b.Run(string(typ), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text, err := compression.Pack(typ, value)
				if err != nil {
					b.Fatal(err)
				}
				var out string
				if err := compression.Unpack(text, &out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
