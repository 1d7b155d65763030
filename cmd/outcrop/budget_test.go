package main

import "testing"

func TestAmountsAreShownAsPeopleWriteThem(t *testing.T) {
	for amount, want := range map[string]string{
		"0": "0.00", "0.00005": "0.000050", "0.0012345": "0.0012", "0.126": "0.13", "0.5": "0.50", "1": "1.00", "1234.567": "1234.57", "?": "?",
	} {
		if got := short(amount); got != want {
			t.Errorf("%s is shown as %s, want %s", amount, got, want)
		}
	}
}
