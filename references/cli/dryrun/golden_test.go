package dryrun_test

import (
	"testing"

	"github.com/seed-c5f95f19/vela/references/cli/clitest"
)

func TestDryRunGolden(t *testing.T) { clitest.Run(t, "testdata/*.txtar") }

// What users read when something is wrong: their own line first, then that of the
// definition, and no text of an engine.
func TestErrorsGolden(t *testing.T) { clitest.Run(t, "testdata/errors/*.txtar") }
