// Command images builds the container images of the examples and of the real
// nodes from the static Go programs beside it, without a container engine:
//
//	go run ./images -out ../../bin/images
//
// Each image is a tar archive that `ctr images import` and `docker load` read.
// It runs in the directory of the vela-local module.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/image"
)

// programs are the images: the folder beside this file, and the reference.
func programs() []image.Image {
	return []image.Image{
		{Program: "pause", Reference: "docker.io/vela/pause:1.0"},
		{Program: "hello", Reference: "docker.io/vela/hello:1.0", Ports: []int{8080}},
	}
}

func main() {
	out := flag.String("out", "", "directory for the archives")
	flag.Parse()
	if *out == "" {
		fmt.Fprintln(os.Stderr, "images: -out is required")
		os.Exit(2)
	}
	if err := build(*out); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func build(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, img := range programs() {
		binary := filepath.Join(scratch, img.Program)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./images/"+img.Program)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build %s: %w", img.Program, err)
		}
		img.Binary, img.Architecture = binary, runtime.GOARCH
		archive := filepath.Join(out, img.Program+".tar")
		if err := img.WriteFile(archive); err != nil {
			return err
		}
		fmt.Println(img.Reference, archive)
	}
	return nil
}
