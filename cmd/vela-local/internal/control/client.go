package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// ErrNotRunning says that no supervisor answers.
var ErrNotRunning = errors.New("not running")

// A Client talks to the supervisor behind one socket.
type Client struct {
	http http.Client
}

// NewClient returns a client for the socket; nothing is opened yet.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Client{http: http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status asks what runs.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	body, err := c.do(ctx, http.MethodGet, "status")
	if err != nil {
		return s, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&s); err != nil {
		return s, fmt.Errorf("status of the supervisor: %w", err)
	}
	return s, nil
}

// Stop asks the supervisor to end; it answers before it has.
func (c *Client) Stop(ctx context.Context) error {
	body, err := c.do(ctx, http.MethodPost, "stop")
	if err != nil {
		return err
	}
	return body.Close()
}

// Follow calls see for every event of the start up to the last one, which it
// returns.
func (c *Client) Follow(ctx context.Context, see func(Event)) (Event, error) {
	body, err := c.do(ctx, http.MethodGet, "events")
	if err != nil {
		return Event{}, err
	}
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var e Event
		if err := dec.Decode(&e); err != nil {
			return Event{}, fmt.Errorf("the supervisor ended while starting: %w", err)
		}
		see(e)
		if e.Last() {
			return e, nil
		}
	}
}

func (c *Client) do(ctx context.Context, method, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor/"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	res, err := c.http.Do(req)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNotRunning
	case err != nil:
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	case res.StatusCode >= http.StatusBadRequest:
		res.Body.Close()
		return nil, fmt.Errorf("ask the supervisor for %s: %s", path, res.Status)
	}
	return res.Body, nil
}
