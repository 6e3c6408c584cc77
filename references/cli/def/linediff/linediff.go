// Package linediff shows how two texts differ, line by line, with a few lines
// around each difference, as people know it from patches. It is for showing,
// not for applying.
package linediff

import (
	"fmt"
	"strings"
)

// around is how many equal lines are shown before and after a difference.
const around = 3

// Unified returns the difference between two texts, "" when they are equal.
// Lines that are only in before begin with -, those only in after with +.
func Unified(before, after string) string {
	if before == after {
		return ""
	}
	lines := script(split(before), split(after))
	var out strings.Builder
	shown := -1 // the last line that was written
	for i, l := range lines {
		if l.mark == ' ' {
			continue
		}
		from := max(i-around, shown+1)
		if from > shown+1 || shown < 0 && from > 0 {
			fmt.Fprintf(&out, "@@ line %d @@\n", lines[from].number)
		}
		end := i
		for j := i; j < len(lines) && j <= end+around; j++ {
			if lines[j].mark != ' ' {
				end = j
			}
		}
		to := min(end+around, len(lines)-1)
		for j := from; j <= to; j++ {
			if j > shown {
				fmt.Fprintf(&out, "%c%s\n", lines[j].mark, lines[j].text)
			}
		}
		shown = max(shown, to)
	}
	return out.String()
}

func split(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// A line is one line of the shortest way from one text to the other.
type line struct {
	mark   byte
	text   string
	number int // in the text after
}

// script finds the longest common subsequence and writes down what is beside
// it. Equal lines at both ends are most of it and cost nothing.
func script(a, b []string) []line {
	var out []line
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		out = append(out, line{' ', a[start], start + 1})
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	out = append(out, middle(a[start:endA], b[start:endB], start)...)
	for i := endA; i < len(a); i++ {
		out = append(out, line{' ', a[i], endB + i - endA + 1})
	}
	return out
}

func middle(a, b []string, offset int) []line {
	common := make([][]int, len(a)+1) // length of what is common from i, j on
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, line{' ', a[i], offset + j + 1})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out = append(out, line{'-', a[i], offset + j + 1})
			i++
		default:
			out = append(out, line{'+', b[j], offset + j + 1})
			j++
		}
	}
	return out
}
