package cur

import (
	"context"
	"slices"
	"strings"
	"sync"

	"outcrop"
)

// A Memory is a Store that forgets with its process, for tests.
type Memory struct {
	mu         sync.Mutex
	exports    map[outcrop.ARN]Export
	executions map[outcrop.ARN][]Execution
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{exports: map[outcrop.ARN]Export{}, executions: map[outcrop.ARN][]Execution{}}
}

// Exports is Store's.
func (m *Memory) Exports(_ context.Context, account outcrop.AccountID) ([]Export, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Export
	for _, e := range m.exports {
		if account == "" || e.Account == account {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Export) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Put is Store's.
func (m *Memory) Put(_ context.Context, e Export) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.exports {
		if other.ARN != e.ARN && other.Account == e.Account && other.Name == e.Name {
			return ErrTaken(e.Name)
		}
	}
	m.exports[e.ARN] = e
	return nil
}

// ErrTaken says that an account has an export by this name.
func ErrTaken(name string) error {
	return outcrop.Errorf(outcrop.Conflict, "There is an export with the name %s already. Choose another name.", name)
}

// ErrNoExport says that there is no such export.
func ErrNoExport(arn outcrop.ARN) error {
	return outcrop.Errorf(outcrop.NotFound, "There is no export %s.", arn)
}

// Delete is Store's.
func (m *Memory) Delete(_ context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.exports[arn].Account != account {
		return ErrNoExport(arn)
	}
	delete(m.exports, arn)
	delete(m.executions, arn)
	return nil
}

// Executions is Store's.
func (m *Memory) Executions(_ context.Context, arn outcrop.ARN) ([]Execution, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.executions[arn]), nil
}

// PutExecution is Store's.
func (m *Memory) PutExecution(_ context.Context, e Execution) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := slices.DeleteFunc(m.executions[e.Export.ARN], func(x Execution) bool { return x.ID == e.ID })
	kept = append(kept, e)
	slices.SortStableFunc(kept, func(a, b Execution) int { return b.Created.Compare(a.Created) })
	m.executions[e.Export.ARN] = kept[:min(len(kept), KeptExecutions)]
	return nil
}
