// Package compression packs a JSON value into a short text field and back.
//
// ApplicationRevision and ResourceTracker store their payload this way, in the
// form KubeVela writes: JSON, compressed, base64. Nothing here knows the types.
// All functions are safe for concurrent use.
//
// +kubebuilder:object:generate=true
package compression

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Type names an algorithm. The zero value means not compressed.
type Type string

// Known algorithms.
const (
	Gzip Type = "gzip"
	Zstd Type = "zstd"
)

// MaxUnpacked bounds what Unpack is willing to produce, against a small text
// that unpacks into all of the memory.
const MaxUnpacked = 64 << 20

// errTooLarge means that a text unpacks into more than MaxUnpacked bytes.
var errTooLarge = errors.New("content larger than 64 MiB")

// Text is a packed value as it travels on the wire.
type Text struct {
	Type Type   `json:"type,omitempty"`
	Data string `json:"data,omitempty"`
}

// Pack returns value, encoded as JSON, in the form of that type.
func Pack(t Type, value any) (Text, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return Text{}, err
	}
	var packed []byte
	switch t {
	case Gzip:
		packed, err = packGzip(raw)
	case Zstd:
		packed, err = packZstd(raw)
	default:
		err = unknown(t)
	}
	if err != nil {
		return Text{}, err
	}
	return Text{Type: t, Data: base64.StdEncoding.EncodeToString(packed)}, nil
}

// Unpack decodes the value inside text into value, which is a pointer.
func Unpack(text Text, value any) error {
	packed, err := base64.StdEncoding.DecodeString(text.Data)
	if err != nil {
		return fmt.Errorf("compressed data is not base64: %w", err)
	}
	var raw []byte
	switch text.Type {
	case Gzip:
		raw, err = unpackGzip(packed)
	case Zstd:
		raw, err = unpackZstd(packed)
	default:
		err = unknown(text.Type)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, value)
}

func unknown(t Type) error {
	return fmt.Errorf("unknown compression type %q, expected %q or %q", t, Gzip, Zstd)
}

func packGzip(raw []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func unpackGzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return readBounded(r)
}

// encoder compresses for everybody: making one costs more than using it, and
// EncodeAll is safe for concurrent use.
var encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
})

func packZstd(raw []byte) ([]byte, error) {
	w, err := encoder()
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(raw, make([]byte, 0, len(raw)/2)), nil
}

// decoder is shared for the same reason; DecodeAll is safe for concurrent use.
var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxUnpacked))
})

func unpackZstd(packed []byte) ([]byte, error) {
	r, err := decoder()
	if err != nil {
		return nil, err
	}
	raw, err := r.DecodeAll(packed, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, errTooLarge
	case err != nil:
		return nil, fmt.Errorf("read zstd: %w", err)
	}
	return raw, nil
}

// readBounded reads all of r, unless that is more than MaxUnpacked.
func readBounded(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	if len(raw) > MaxUnpacked {
		return nil, errTooLarge
	}
	return raw, nil
}
