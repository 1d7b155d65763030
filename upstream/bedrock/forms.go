package bedrock

import (
	"fmt"
	"strings"

	"outcrop"
	"outcrop/converse/native"
)

// The words of Config.Forms beside the names of families.
const (
	converseForm = "converse"
	ownForm      = "native" // of the family that the model's id names
)

// forms finds out which models are spoken to in their own form: those whose
// form is configured, and those mapped to an imported model, which has no
// Converse operation (reference/runtime-metering-billing.md §1.4).
func (c *Config) forms() (map[outcrop.ModelID]native.Family, error) {
	forms := map[outcrop.ModelID]native.Family{}
	for id, word := range c.Forms {
		family, ok := native.FamilyNamed(word)
		if word == ownForm {
			family, ok = native.FamilyOf(id)
		}
		switch {
		case word == converseForm:
		case ok:
			forms[id] = family
		case word == ownForm:
			return nil, unknownForm(id, "is to be called in its own form, which its id does not tell")
		default:
			return nil, fmt.Errorf("forms: %q of the model %s is no form: the forms are %s, %s, %s", word, id, converseForm, ownForm, strings.Join(native.FamilyNames(), ", "))
		}
	}
	for id, name := range c.Models {
		if _, said := c.Forms[id]; said || !imported(name) {
			continue
		}
		family, ok := native.FamilyOf(id)
		if !ok {
			return nil, unknownForm(id, "is mapped to an imported model, which has no Converse operation, and its id does not tell its own form")
		}
		forms[id] = family
	}
	return forms, nil
}

func unknownForm(id outcrop.ModelID, why string) error {
	return fmt.Errorf("the model %s of a bedrock upstream %s: say under forms which it is, one of %s", id, why, strings.Join(native.FamilyNames(), ", "))
}

func imported(name string) bool {
	arn, ok := outcrop.ParseARN(strings.ReplaceAll(name, regionMark, "us-east-1"))
	return ok && strings.HasPrefix(arn.Resource, "imported-model/")
}

// form is what an Attempt's model is spoken to in, nil where it is Converse.
func (u *Upstream) form(a outcrop.Attempt) native.Family { return u.forms[a.Destination.Model] }
