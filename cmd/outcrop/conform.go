package main

import (
	"context"
	"errors"
)

type conformCommand struct{}

func (conformCommand) Run(context.Context) error { return errors.New("soon") }
