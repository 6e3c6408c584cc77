// Package show is `vela show`: how a type is used, on the terminal, as Markdown
// or as a web page.
package show

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
	"github.com/seed-c5f95f19/vela/references/cli/def/page"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Type      string
	Namespace string
	Revision  string
	Files     []string
	Offline   bool
	Format    string
	Web       bool
	Location  string
	Listen    string
}

// NewCommand returns `vela show`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = show
	}
	cmd := &cobra.Command{
		Use:   "show TYPE",
		Short: "Show how a component, trait, policy or step type is used",
		Long: `Show what a type is for, its parameters, and an example. The definition comes
from the files after --path, from the cluster, or from this binary, whichever has
it first; no cluster is needed for what comes with vela.

With --web a web page is served on this machine until the command is interrupted;
with --location the page is written to a folder instead, as HTML, or as Markdown
with --format markdown.`,
		Example:           "  vela show webservice\n  vela show scaler@v2 --format markdown\n  vela show webservice --web\n  vela show my-trait --path my-trait.cue",
		Args:              console.Args("TYPE"),
		ValidArgsFunction: complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := console.OneOf("format", o.Format, "", "console", "markdown", "html"); err != nil {
				return err
			}
			if err := installed.CheckType(o.Type); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` whose definitions count first")
	flags.StringVarP(&o.Type, "type", "t", "", "`type` of the definition, when several have the name: "+strings.Join(installed.Types()[:4], ", "))
	flags.StringVarP(&o.Revision, "revision", "r", "", "show this `revision`, for example v2")
	flags.StringSliceVarP(&o.Files, "path", "p", nil, "`file` or folder with definitions to look in first")
	flags.BoolVar(&o.Offline, "offline", false, "ask no cluster")
	flags.StringVar(&o.Format, "format", "", "console, markdown or html")
	flags.BoolVar(&o.Web, "web", false, "serve the page for a browser")
	flags.StringVarP(&o.Location, "location", "l", "", "write the page to this `folder`")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to serve at; port 0 is any that is free")
	return cmd
}

// complete completes with the types that come with this binary.
func complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const silent = cobra.ShellCompDirectiveNoFileComp
	builtin, err := definition.Builtin()
	if err != nil || len(args) > 0 {
		return nil, silent
	}
	var out []string
	for _, kind := range author.Kinds() {
		names, err := builtin.Names(cmd.Context(), "", kind)
		if err != nil {
			return nil, silent
		}
		out = append(out, names...)
	}
	return out, silent
}

func show(ctx context.Context, o *Options) error {
	pages, err := o.pages(ctx)
	if err != nil {
		return err
	}
	io := o.Factory.IO
	switch {
	case o.Location != "":
		return o.write(pages)
	case o.Web:
		return o.serve(ctx, pages)
	case o.Format == "html":
		return page.HTML(io.Out, o.Name, pages)
	}
	for i, p := range pages {
		if i > 0 {
			fmt.Fprintln(io.Out)
		}
		if o.Format == "markdown" {
			p.Markdown(io.Out)
		} else {
			p.Terminal(io.Out, io.OutStyle())
		}
	}
	return nil
}

// pages are those of every definition that has the name.
func (o *Options) pages(ctx context.Context) ([]page.Page, error) {
	namespace := cmp.Or(o.Namespace, o.Factory.SystemNamespace())
	known, err := installed.Known(ctx, o.Factory, installed.Where{Files: o.Files, Namespace: namespace, Offline: o.Offline})
	if err != nil {
		return nil, err
	}
	name := o.Name
	if o.Revision != "" {
		name += "@" + strings.TrimPrefix(o.Revision, o.Name+"-")
	}
	defs, err := installed.Choose(ctx, known, namespace, o.Type, name)
	if err != nil {
		return nil, console.Hint(err, "see what there is: vela def list, or vela def list --builtin")
	}
	engines := author.NewEngines(o.Factory.Sandbox)
	var pages []page.Page
	for _, d := range defs {
		p, err := page.Of(d, engines)
		if err != nil {
			return nil, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// write puts the page into a folder.
func (o *Options) write(pages []page.Page) error {
	var out bytes.Buffer
	file := filepath.Join(o.Location, strings.ReplaceAll(o.Name, "@", "-")+".html")
	if o.Format == "markdown" {
		file = strings.TrimSuffix(file, ".html") + ".md"
		for _, p := range pages {
			p.Markdown(&out)
		}
	} else if err := page.HTML(&out, o.Name, pages); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Location, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		return err
	}
	o.Factory.IO.Notef("%s", file)
	return nil
}

// serve answers a browser until ctx ends.
func (o *Options) serve(ctx context.Context, pages []page.Page) error {
	var out bytes.Buffer
	if err := page.HTML(&out, o.Name, pages); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("serve at %s: %w", o.Listen, err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			_, _ = w.Write(out.Bytes()) // the browser that is gone needs no answer
		}),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	o.Factory.IO.Notef("%s is shown at http://%s, until you press Ctrl-C", o.Name, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
