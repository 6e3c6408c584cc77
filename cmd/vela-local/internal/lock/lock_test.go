package lock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestALockIsHeldOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Try(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path); !errors.Is(err, ErrHeld) {
		t.Errorf("Try() of a held lock = %v, want ErrHeld", err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Wait(short, path); !errors.Is(err, ErrHeld) {
		t.Errorf("Wait() that ends early = %v, want ErrHeld", err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := Wait(t.Context(), path)
		got <- err
	}()
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("Wait() after the release = %v", err)
	}
}
