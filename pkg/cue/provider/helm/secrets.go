package helm

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/helm"
)

type valuesFrom struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Optional  bool   `json:"optional"`
}

// values merges the values of all sources; inline ones win.
func (o Options) values(ctx context.Context, in params) (map[string]any, error) {
	out := map[string]any{}
	for i, from := range in.ValuesFrom {
		what := fmt.Sprintf("valuesFrom[%d]", i)
		data, err := o.data(ctx, what, from.Kind, from.Namespace, from.Name)
		if from.Optional && apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key := cmp.Or(from.Key, "values.yaml")
		text, ok := data[key]
		switch {
		case !ok && from.Optional:
			continue
		case !ok:
			return nil, fmt.Errorf("%s: %s %q has no key %q", what, from.Kind, from.Name, key)
		}
		raw, err := yaml.YAMLToJSON([]byte(text))
		var more object
		if err == nil {
			err = json.Unmarshal(raw, &more)
		}
		if err != nil { // without the text: it may be secret
			return nil, fmt.Errorf("%s: key %q of %s %q is no YAML object", what, key, from.Kind, from.Name)
		}
		out = helm.Merge(out, more)
	}
	return helm.Merge(out, in.Values), nil
}

// data reads a Secret or a ConfigMap of the Application's namespace.
func (o Options) data(ctx context.Context, what, kind, namespace, name string) (map[string]string, error) {
	if namespace != "" && namespace != o.Namespace {
		return nil, invalid("%s: %s %q is in namespace %q: only the namespace %q of the Application is read", what, kind, name, namespace, o.Namespace)
	}
	if o.Reader == nil {
		return nil, fmt.Errorf("%s: %s %q cannot be read without a cluster", what, kind, name)
	}
	got, err := o.Reader.Get(ctx, "", schema.GroupVersionKind{Version: "v1", Kind: kind}, types.NamespacedName{Namespace: o.Namespace, Name: name})
	if err != nil {
		return nil, fmt.Errorf("%s: read %s %q in namespace %q: %w", what, kind, name, o.Namespace, err)
	}
	return decoded(got, kind)
}

func decoded(o *unstructured.Unstructured, kind string) (map[string]string, error) {
	data, _, err := unstructured.NestedStringMap(o.Object, "data")
	if err != nil || kind != "Secret" {
		return data, err
	}
	for k, v := range data {
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("key %q of Secret %q is not base64", k, o.GetName())
		}
		data[k] = string(b)
	}
	return data, nil
}

// source says where the chart is and what is shown there.
func (o Options) source(ctx context.Context, in params) (helm.Source, error) {
	src := helm.Source{Location: in.Chart.Source, Repo: in.Chart.RepoURL, Version: in.Chart.Version}
	var err error
	if src.Keep, err = in.keep(); err != nil {
		return src, err
	}
	ref := in.Chart.Auth.SecretRef
	if ref == nil {
		return src, nil
	}
	data, err := o.data(ctx, "chart.auth.secretRef", "Secret", ref.Namespace, ref.Name)
	if err != nil {
		return src, err
	}
	where := cmp.Or(in.Chart.RepoURL, in.Chart.Source)
	src.Auth, err = credentials(data, where)
	if err != nil {
		return src, invalid("chart.auth.secretRef: Secret %q: %w", ref.Name, err)
	}
	return src, nil
}

// credentials reads a Secret of any of the types that have some. A bearer token
// is good for whoever sees it, so it is only shown to who proves to be asked.
func credentials(data map[string]string, where string) (helm.Auth, error) {
	first := func(keys ...string) []byte {
		for _, k := range keys {
			if data[k] != "" {
				return []byte(data[k])
			}
		}
		return nil
	}
	a := helm.Auth{
		Username: data["username"], Password: data["password"], Token: data["token"],
		CA: first("caFile", "ca.crt"), Cert: first("certFile", "tls.crt"), Key: first("keyFile", "tls.key"),
	}
	for key, into := range map[string]*bool{"insecureSkipTLS": &a.SkipVerify, "insecurePlainHTTP": &a.PlainHTTP} {
		if text, ok := data[key]; ok {
			set, err := strconv.ParseBool(strings.TrimSpace(text))
			if err != nil {
				return a, fmt.Errorf("%s: expected true or false", key)
			}
			*into = set
		}
	}
	if raw, ok := data[".dockerconfigjson"]; ok {
		var err error
		if a.Username, a.Password, err = login(raw, where); err != nil {
			return a, err
		}
	}
	switch {
	case a.Token == "":
		return a, nil
	case a.Username != "" || a.Password != "":
		return a, fmt.Errorf("it has a token and a user name: one of them is shown, not both")
	case strings.HasPrefix(where, "oci://"):
		return a, fmt.Errorf("a registry takes a user name and a password, not a token")
	case strings.HasPrefix(where, "http://"):
		return a, fmt.Errorf("a token is not sent over plain HTTP, where everybody on the way reads it: use https")
	case a.SkipVerify:
		return a, fmt.Errorf("a token is not sent to a server that does not prove who it is: remove insecureSkipTLS or give caFile")
	}
	return a, nil
}

// login finds the host of a URL in a Docker configuration.
func login(raw, where string) (user, password string, err error) {
	var config struct {
		Auths map[string]struct {
			Username string `json:"username"`
			Password string `json:"password"`
			Auth     string `json:"auth"`
		} `json:"auths"`
	}
	if json.Unmarshal([]byte(raw), &config) != nil { // its error could quote the text
		return "", "", fmt.Errorf(".dockerconfigjson is no JSON")
	}
	at, err := url.Parse(where)
	if err != nil {
		return "", "", fmt.Errorf("%q is no URL", plain(where))
	}
	for _, name := range slices.Sorted(maps.Keys(config.Auths)) {
		entry := config.Auths[name]
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://"), "/")
		if host != at.Host {
			continue
		}
		if entry.Username != "" {
			return entry.Username, entry.Password, nil
		}
		pair, err := base64.StdEncoding.DecodeString(entry.Auth)
		user, password, ok := strings.Cut(string(pair), ":")
		if err != nil || !ok {
			return "", "", fmt.Errorf("the login for %s is not user:password in base64", host)
		}
		return user, password, nil
	}
	return "", "", fmt.Errorf("it has no login for %s", at.Host)
}
