// Command hello is the demo web server of the examples. It says who it is, so
// that one sees which version, cluster and replica answers.
//
//	hello              serve on :8080 (PORT changes that)
//	hello version      print the version and end
//	hello get URL      fetch a URL, print the answer; for trying from inside
//	hello work [TEXT]  print a line and end well, as a task does
//	hello fail         print a line and end with exit code 1
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	version     = "1.0"
	defaultPort = "8080"
	drain       = 5 * time.Second
	getTimeout  = 5 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return serve()
	}
	switch args[0] {
	case "serve":
		return serve()
	case "version":
		fmt.Println("hello", version)
		return nil
	case "get":
		if len(args) != 2 {
			return errors.New("want one URL")
		}
		return get(args[1])
	case "work":
		fmt.Println("worked", strings.Join(args[1:], " "))
		return nil
	case "fail":
		return errors.New("asked to fail")
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// serve answers until it is told to end; requests under way are finished.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s from %s\n", r.Method, r.URL.Path, r.RemoteAddr)
		fmt.Fprint(w, page(host, os.Getenv))
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	srv := &http.Server{
		Addr:              ":" + cmp.Or(os.Getenv("PORT"), defaultPort),
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
	}
	context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		_ = srv.Shutdown(bounded) // what is left ends with us
	})
	fmt.Println("hello", version, "serves on", srv.Addr)
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// page is the answer: the greeting first, for people; then who says it.
func page(host string, getenv func(string) string) string {
	return fmt.Sprintf("%s\nname: hello\nversion: %s\nhost: %s\n", cmp.Or(getenv("GREETING"), "Hello"), version, host)
}

func get(url string) error {
	client := http.Client{Timeout: getTimeout}
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
	_, err = io.Copy(os.Stdout, res.Body)
	return err
}
