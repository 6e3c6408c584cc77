// Package http is the provider package "vela/http": templates send requests.
//
// Requests leave through a guarded client: it has a time limit, reads no more
// than a bounded answer, and connects to no address from which only the machine
// itself or the cloud's metadata service answers, whatever name or redirection
// leads there.
package http

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed definition.cue
var definitionSchema string

//go:embed workflow.cue
var workflowSchema string

// DefinitionSchema is the text that components, traits and policies import.
func DefinitionSchema() provider.Schema {
	return provider.Schema{Path: "vela/http", Text: definitionSchema}
}

// WorkflowSchema is the text that workflow steps import.
func WorkflowSchema() provider.Schema {
	return provider.Schema{Path: "vela/http", Text: workflowSchema}
}

// Options are what the package needs for one run.
type Options struct {
	Client    *Client // nil: nothing is offered
	Secrets   Secrets // nil: requests cannot use Secrets
	Namespace string  // of Secrets that are named without one
	// Effects lets renderings send requests of every method. Without it only
	// those go that HTTP defines to change nothing.
	Effects bool
}

// Secrets reads the data of Secrets of the control plane.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string][]byte, error)
}

// Definition returns the package for components, traits and policies. A
// rendering happens at any time and any number of times, so it may only ask.
func Definition(o Options) provider.Package {
	p := provider.Package{Name: "http", Schema: definitionSchema}
	if o.Client != nil {
		p.Read = provider.Actions{"do": o.ask}
	}
	return p
}

func (o Options) ask(ctx context.Context, call provider.Call) (any, error) {
	var in request
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of the request: %w", err)
	}
	switch method := cmp.Or(in.Method, http.MethodGet); method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
	default:
		if !o.Effects {
			return nil, fmt.Errorf("a rendering must not change the world, and a request with the method %s may; "+
				"send it from a workflow step, or let the operator allow it with --allow-http-effects-in-rendering", method)
		}
	}
	return o.do(ctx, call)
}

// Workflow returns the package for workflow steps. A request counts as an
// effect: it is not sent while a step only plans.
func Workflow(o Options) provider.Package {
	p := provider.Package{Name: "http", Schema: workflowSchema}
	if o.Client != nil {
		p.Write = provider.Actions{"do": o.do}
	}
	return p
}

// Limits of one request.
const (
	defaultTimeout = 3 * time.Second
	fetchTimeout   = 10 * time.Second // of requests that others than templates word
	maxTimeout     = 30 * time.Second // a worker must not wait for longer
	maxBody        = 4 << 20
)

type request struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Request struct {
		Timeout     string            `json:"timeout"`
		Body        string            `json:"body"`
		Header      map[string]string `json:"header"`
		Trailer     map[string]string `json:"trailer"`
		RateLimiter *rate             `json:"ratelimiter"`

		HeadersFromSecret []struct {
			Header string `json:"header"`
			Secret string `json:"secret"`
			Key    string `json:"key"`
		} `json:"headersFromSecret"`
	} `json:"request"`
	TLS *struct {
		Secret    string `json:"secret"`
		Namespace string `json:"namespace"`
	} `json:"tls_config"`
}

type response struct {
	Body       string              `json:"body"`
	Header     map[string][]string `json:"header,omitempty"`
	Trailer    map[string][]string `json:"trailer,omitempty"`
	StatusCode int                 `json:"statusCode"`
}

func (o Options) do(ctx context.Context, call provider.Call) (any, error) {
	var in request
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of the request: %w", err)
	}
	in.Method = cmp.Or(in.Method, http.MethodGet)
	if err := o.Client.limit(in); err != nil {
		return nil, err
	}
	out, err := o.send(ctx, in)
	if err != nil {
		return nil, err
	}
	answer, err := provider.Encode(out)
	if err != nil || !call.Flat {
		return answer, err
	}
	return map[string]any{"response": answer}, nil
}

func (o Options) send(ctx context.Context, in request) (response, error) {
	timeout := defaultTimeout
	if in.Request.Timeout != "" {
		d, err := time.ParseDuration(in.Request.Timeout)
		if err != nil || d <= 0 {
			return response{}, fmt.Errorf("request.timeout: expected a duration such as 5s, got %q", in.Request.Timeout)
		}
		timeout = min(d, maxTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := o.request(ctx, in)
	if err != nil {
		return response{}, err
	}
	client, done, err := o.client(ctx, in)
	if err != nil {
		return response{}, err
	}
	defer done()
	resp, err := client.Do(req)
	if err != nil {
		return response{}, plain(in, err)
	}
	defer resp.Body.Close()
	body, err := read(in, resp.Body)
	if err != nil {
		return response{}, err
	}
	return response{string(body), resp.Header, resp.Trailer, resp.StatusCode}, nil
}

// read reads an answer that is not too big.
func read(in request, from io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	if err != nil {
		return nil, plain(in, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%s %s: the answer has more than %d bytes", in.Method, host(in.URL), maxBody)
	}
	return body, nil
}

func (o Options) request(ctx context.Context, in request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, in.Method, in.URL, strings.NewReader(in.Request.Body))
	if err != nil {
		return nil, fmt.Errorf("url: expected one such as https://example.com/path")
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" || req.URL.Host == "" {
		return nil, fmt.Errorf("url: expected one that begins with http:// or https://")
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range in.Request.Header {
		req.Header.Set(name, value)
	}
	for _, h := range in.Request.HeadersFromSecret {
		data, err := o.secret(ctx, o.Namespace, h.Secret)
		if err != nil {
			return nil, err
		}
		value, ok := data[h.Key]
		if !ok {
			return nil, fmt.Errorf("secret %q has no key %q", h.Secret, h.Key)
		}
		req.Header.Set(h.Header, strings.TrimSpace(string(value)))
	}
	for name, value := range in.Request.Trailer {
		if req.Trailer == nil {
			req.Trailer = http.Header{}
			req.ContentLength = -1 // trailers need chunks
		}
		req.Trailer.Set(name, value)
	}
	return req, nil
}

func (o Options) secret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	if o.Secrets == nil {
		return nil, fmt.Errorf("secret %q cannot be used here", name)
	}
	data, err := o.Secrets.Secret(ctx, cmp.Or(namespace, o.Namespace), name)
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", name, err)
	}
	return data, nil
}
