package diff

import "strings"

const (
	// context is how many lines are shown around a change.
	context = 2
	// maxLines is the size from which texts are shown as replaced: comparing
	// takes time and memory of the product of their lines.
	maxLines = 3000
)

// Unified compares two texts line by line and returns the changed lines with
// "+" or "-" before them, and some unchanged ones around with " ".
func Unified(before, after string) []string {
	a, b := split(before), split(after)
	if len(a) > maxLines || len(b) > maxLines {
		return []string{"- (long text)", "+ (another long text)"}
	}
	return around(edits(a, b))
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// edits is the shortest way from a to b: lines with their mark.
func edits(a, b []string) []string {
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
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
	var out []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+a[i])
			i++
		default:
			out = append(out, "+"+b[j])
			j++
		}
	}
	return out
}

// around drops the unchanged lines that are far from any change.
func around(lines []string) []string {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] == ' ' {
			continue
		}
		for j := max(0, i-context); j <= min(len(lines)-1, i+context); j++ {
			near[j] = true
		}
	}
	var out []string
	skipped := false
	for i, l := range lines {
		if !near[i] {
			skipped = true
			continue
		}
		if skipped && len(out) > 0 {
			out = append(out, " …")
		}
		skipped = false
		out = append(out, l)
	}
	return out
}
