.PHONY: run check test generate

run:
	go run ./cmd/outcrop serve

test:
	go test ./...

generate:
	go generate ./...
