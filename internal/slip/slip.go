// Package slip finds what a mistyped word was meant to be.
package slip

import "strings"

// most slips in one word; more, and it is another word.
const most = 2

// Nearest is the known word that is fewest slips away from word; of equals the
// first. Empty when each is too far off: more than two slips, or more than half
// of the letters.
func Nearest(word string, known []string) string {
	return Within(min(most, len(word)/2), word, known)
}

// Within is Nearest with so many slips at most.
func Within(slips int, word string, known []string) string {
	best, least := "", slips+1
	for _, k := range known {
		if len(k)-len(word) > slips || len(word)-len(k) > slips {
			continue // and no long word is compared with a short one
		}
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// Distance counts the insertions, deletions, substitutions and swaps of
// neighbours between a and b.
func Distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], prev2[j-1]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
