package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
)

// FetchOptions say how a request differs from others. The zero value fits most.
type FetchOptions struct {
	CA       []byte // certificates to trust instead of the system's, as PEM
	Insecure bool   // trust every certificate
	Begin    int64  // read only that much of the answer
}

// An Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Fetch sends a request that no template wrote, within the limits that all
// requests have.
func (c *Client) Fetch(ctx context.Context, req *http.Request, o FetchOptions) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client, done, err := c.trusting(o)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	in := request{Method: req.Method, URL: req.URL.String()}
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return Answer{}, plain(in, err)
	}
	defer resp.Body.Close()
	var from io.Reader = resp.Body
	if o.Begin > 0 {
		from = io.LimitReader(from, o.Begin)
	}
	body, err := read(in, from)
	return Answer{resp.StatusCode, resp.Header, body}, err
}

// trusting returns a client that trusts whom the options say.
func (c *Client) trusting(o FetchOptions) (client *http.Client, done func(), err error) {
	if len(o.CA) == 0 && !o.Insecure {
		return c.shared, func() {}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure} //nolint:gosec // only when its author says so
	if len(o.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(o.CA) {
			return nil, nil, errors.New("the certificates to trust hold no certificate")
		}
	}
	transport := c.transport(config)
	return &http.Client{Transport: transport}, transport.CloseIdleConnections, nil
}
