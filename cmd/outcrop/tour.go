package main

import (
	"context"
	"errors"
)

type tourCommand struct{}

func (tourCommand) Run(context.Context) error { return errors.New("soon") }

type conformCommand struct{}

func (conformCommand) Run(context.Context) error { return errors.New("soon") }
