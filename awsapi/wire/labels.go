package wire

// Labels are the labels of a path, decoded once. There are one or two: a list
// is quicker than a map.
type Labels []Label

// A Label is one of them.
type Label struct{ Name, Value string }

// Get finds a label's value, empty when the path has no such label. A label that
// is there is never empty.
func (l Labels) Get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// Tree is l as a tree of values.
func (l Labels) Tree() map[string]any {
	tree := make(map[string]any, len(l))
	for _, label := range l {
		tree[label.Name] = label.Value
	}
	return tree
}

// set keeps one value for each name.
func (l *Labels) set(name, value string) {
	for i := range *l {
		if (*l)[i].Name == name {
			(*l)[i].Value = value
			return
		}
	}
	*l = append(*l, Label{name, value})
}
