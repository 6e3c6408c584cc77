package helm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// chartLayer is the media type of a packed chart in a registry.
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// maxManifest bounds what describes a chart in a registry.
const maxManifest = 4 << 20

// fromRegistry pulls a chart from an OCI registry.
func (s *Store) fromRegistry(ctx context.Context, client *http.Client, src Source) (*Chart, error) {
	if src.Auth.Token != "" {
		return nil, errors.New("chart.auth: a registry takes a user name and a password, not a token")
	}
	name, tag := reference(src)
	repo, err := remote.NewRepository(name)
	if err != nil {
		return nil, fmt.Errorf("it is no OCI reference: %w", err)
	}
	repo.PlainHTTP = src.Auth.PlainHTTP
	login := &auth.Client{Client: client, Header: http.Header{"User-Agent": {"vela"}}, Cache: auth.NewCache()}
	if src.Auth.Username != "" || src.Auth.Password != "" {
		login.Credential = auth.StaticCredential(repo.Reference.Registry, auth.Credential{Username: src.Auth.Username, Password: src.Auth.Password})
	}
	repo.Client = login
	if tag, err = resolve(ctx, repo, tag); err != nil {
		return nil, err
	}
	raw, err := manifestOf(ctx, repo, tag)
	if err != nil {
		return nil, err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, fmt.Errorf("the manifest of %s: %w", tag, err)
	}
	i := slices.IndexFunc(manifest.Layers, func(d ocispec.Descriptor) bool { return d.MediaType == chartLayer })
	if i < 0 {
		return nil, fmt.Errorf("%s is no Helm chart", tag)
	}
	if manifest.Layers[i].Size > maxArchive {
		return nil, fmt.Errorf("%s is larger than %d MiB", tag, maxArchive>>20)
	}
	archive, err := content.FetchAll(ctx, repo.Blobs(), manifest.Layers[i]) // checks size and digest
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", tag, err)
	}
	return Load(archive)
}

// reference splits a source into the repository and a tag, digest or range.
func reference(src Source) (name, tag string) {
	at := strings.TrimPrefix(src.Location, "oci://")
	if strings.HasPrefix(src.Repo, "oci://") {
		at = strings.TrimSuffix(strings.TrimPrefix(src.Repo, "oci://"), "/") + "/" + src.Location
	}
	if name, digest, ok := strings.Cut(at, "@"); ok {
		return name, digest
	}
	if i := strings.LastIndex(at, ":"); i > strings.LastIndex(at, "/") {
		return at[:i], at[i+1:]
	}
	return at, src.Version
}

// resolve returns the tag of a version. Registries do not allow a plus sign.
func resolve(ctx context.Context, repo *remote.Repository, want string) (string, error) {
	tag := strings.ReplaceAll(want, "+", "_")
	if strings.HasPrefix(want, "sha256:") {
		return want, nil
	}
	if want != "" && !strings.ContainsAny(want, "^~<>=*|, ") {
		_, err := repo.Resolve(ctx, tag)
		if err == nil || want != "latest" {
			return tag, err
		}
	}
	var versions []string
	err := repo.Tags(ctx, "", func(tags []string) error {
		for _, t := range tags {
			versions = append(versions, strings.ReplaceAll(t, "_", "+"))
		}
		if len(versions) > 50_000 {
			return errors.New("too many tags")
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("list the versions: %w", err)
	}
	version, err := choose(want, versions)
	return strings.ReplaceAll(version, "+", "_"), err
}

func manifestOf(ctx context.Context, repo *remote.Repository, tag string) ([]byte, error) {
	desc, body, err := repo.Manifests().FetchReference(ctx, tag)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", tag, err)
	}
	defer body.Close()
	if desc.Size > maxManifest {
		return nil, fmt.Errorf("the manifest of %s is larger than %d MiB", tag, maxManifest>>20)
	}
	return content.ReadAll(body, desc)
}
