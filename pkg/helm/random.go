package helm

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// moment is `now` in templates: rendering the same chart again must not change
// what it gives.
var moment = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Bounds of what template functions make.
const (
	maxRepeat = 1 << 20
	maxRange  = 100_000
)

// A random makes up values for one rendering. The n-th value of one kind for
// the same arguments is the same for a release as long as its seed is, so that
// a new version of a chart keeps the passwords.
type random struct {
	ctx  context.Context //nolint:containedctx // template functions are given none; one rendering long
	req  Request
	seed []byte
	seen map[string]uint64
}

func newRandom(ctx context.Context, req Request) *random {
	return &random{ctx: ctx, req: req, seen: map[string]uint64{}}
}

// bytes derives n bytes for one use of a function with its arguments.
func (r *random) bytes(n int, function string, args ...any) ([]byte, error) {
	if n < 0 || n > maxRepeat {
		return nil, fmt.Errorf("%s: %d characters are too many", function, n)
	}
	if r.seed == nil {
		if r.req.Seed != nil {
			var err error
			if r.seed, err = r.req.Seed(r.ctx); err != nil {
				return nil, fmt.Errorf("%s: read the seed of random values: %w", function, err)
			}
		}
		if r.seed == nil {
			r.seed = []byte("public")
		}
	}
	use := fmt.Sprintf("%s %q", function, args)
	var count [8]byte
	binary.BigEndian.PutUint64(count[:], r.seen[use])
	r.seen[use]++
	info := strings.Join([]string{r.req.Namespace, r.req.Release, use, string(count[:])}, "\x00")
	key, err := hkdf.Key(sha256.New, r.seed, []byte(r.req.Realm), info, 32)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, n+32)
	for block := uint64(0); len(out) < n; block++ {
		binary.BigEndian.PutUint64(count[:], block)
		sum := sha256.Sum256(slices.Concat(key, count[:]))
		out = append(out, sum[:]...)
	}
	return out[:n], nil
}

// text makes n characters of an alphabet. Four bytes for each keep the bias
// below what matters.
func (r *random) text(function, alphabet string) func(int) (string, error) {
	return func(n int) (string, error) {
		raw, err := r.bytes(4*max(n, 0), function, n)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		for ; len(raw) > 0; raw = raw[4:] {
			b.WriteByte(alphabet[binary.BigEndian.Uint32(raw)%uint32(len(alphabet))])
		}
		return b.String(), nil
	}
}

// funcs replaces the functions whose result differs from call to call, those
// that can make much out of nothing, and those that see the machine.
func (r *random) funcs() map[string]any {
	const digits, lower = "0123456789", "abcdefghijklmnopqrstuvwxyz"
	letters := lower + strings.ToUpper(lower)
	var ascii strings.Builder
	for c := byte(32); c < 127; c++ {
		ascii.WriteByte(c)
	}
	return map[string]any{
		"randAlphaNum": r.text("randAlphaNum", letters+digits),
		"randAlpha":    r.text("randAlpha", letters),
		"randNumeric":  r.text("randNumeric", digits),
		"randAscii":    r.text("randAscii", ascii.String()),
		"randBytes":    r.randBytes,
		"randInt":      r.randInt,
		"shuffle":      r.shuffle,
		"uuidv4":       r.uuid,
		"bcrypt":       r.bcrypt,
		"htpasswd":     r.htpasswd,
		"encryptAES": func(string, string) (string, error) {
			return "", errors.New("encryptAES differs from call to call: give the encrypted text as a value")
		},
		"genPrivateKey":            r.privateKey,
		"genCA":                    r.ca,
		"genCAWithKey":             r.caWithKey,
		"genSelfSignedCert":        r.selfSigned,
		"genSelfSignedCertWithKey": r.selfSignedWithKey,
		"genSignedCert":            r.signed,
		"genSignedCertWithKey":     r.signedWithKey,
		"now":                      func() time.Time { return moment },
		"ago":                      func(any) string { return "0s" },
		"keys":                     keys,
		"values":                   valuesOf,
		"repeat":                   repeat,
		"until":                    func(n int) ([]int, error) { return untilStep(0, n, sign(n)) },
		"untilStep":                untilStep,
		"seq":                      seq,
		"buildCustomCert":          customCert,
		"getHostByName":            func(string) string { return "" },
		"lookup":                   func(string, string, string, string) (map[string]any, error) { return map[string]any{}, nil },
	}
}

func (r *random) randBytes(n int) (string, error) {
	raw, err := r.bytes(n, "randBytes", n)
	return base64.StdEncoding.EncodeToString(raw), err
}

func (r *random) randInt(low, high int) (int, error) {
	if high <= low {
		return 0, fmt.Errorf("randInt: %d is not above %d", high, low)
	}
	raw, err := r.bytes(8, "randInt", low, high)
	if err != nil {
		return 0, err
	}
	return low + int(binary.BigEndian.Uint64(raw)%uint64(high-low)), nil
}

func (r *random) shuffle(text string) (string, error) {
	runes := []rune(text)
	raw, err := r.bytes(4*len(runes), "shuffle", text)
	if err != nil {
		return "", err
	}
	for i := len(runes) - 1; i > 0; i-- {
		j := int(binary.BigEndian.Uint32(raw[4*i:]) % uint32(i+1))
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes), nil
}

func (r *random) uuid() (string, error) {
	b, err := r.bytes(16, "uuidv4")
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// privateKey makes a key in PEM. Keys that cannot be derived from a seed are
// refused: they would be new each time.
func (r *random) privateKey(kind string) (string, error) {
	switch kind {
	case "ecdsa":
		key, err := r.ecdsaKey("genPrivateKey")
		if err != nil {
			return "", err
		}
		return keyPEM(key)
	case "ed25519":
		raw, err := r.bytes(ed25519.SeedSize, "genPrivateKey", kind)
		if err != nil {
			return "", err
		}
		der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(raw))
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
	}
	return "", fmt.Errorf("genPrivateKey %q: such a key differs from call to call: give one as a value, or use ecdsa or ed25519", kind)
}

func (r *random) ecdsaKey(function string, args ...any) (*ecdsa.PrivateKey, error) {
	for { // a number above the order of the curve is as good as impossible
		raw, err := r.bytes(32, function, args...)
		if err != nil {
			return nil, err
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw); err == nil {
			return key, nil
		}
	}
}

func keyPEM(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalECPrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), err
}

// keys returns the keys of objects in order.
func keys(dicts ...map[string]any) []string {
	var out []string
	for _, d := range dicts {
		for k := range d {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// valuesOf returns the values of an object in the order of their keys.
func valuesOf(dict map[string]any) []any {
	out := []any{}
	for _, k := range keys(dict) {
		out = append(out, dict[k])
	}
	return out
}

func repeat(n int, text string) (string, error) {
	if n > 0 && n*len(text) > maxRepeat || n > maxRepeat {
		return "", fmt.Errorf("repeat: %d times %d bytes are too many", n, len(text))
	}
	return strings.Repeat(text, max(n, 0)), nil
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func untilStep(start, stop, step int) ([]int, error) {
	out := []int{}
	if step == 0 || (stop-start)*sign(step) < 0 {
		return out, nil
	}
	if (stop-start)/step > maxRange {
		return nil, fmt.Errorf("until: more than %d numbers", maxRange)
	}
	for i := start; i*sign(step) < stop*sign(step); i += step {
		out = append(out, i)
	}
	return out, nil
}

// seq writes numbers as the command of that name does.
func seq(n ...int) (string, error) {
	start, step, stop := 1, 0, 0
	switch len(n) {
	case 1:
		stop = n[0]
	case 2:
		start, stop = n[0], n[1]
	case 3:
		start, step, stop = n[0], n[1], n[2]
	default:
		return "", nil
	}
	if step == 0 {
		step = sign(stop - start)
	}
	all, err := untilStep(start, stop+sign(step), step)
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = strconv.Itoa(v)
	}
	return strings.Join(out, " "), err
}
