package ql_test

import (
	"testing"

	"github.com/seed-c5f95f19/vela/references/cli/clitest"
)

func TestGolden(t *testing.T) { clitest.Run(t, "testdata/*.txtar") }
