package outcrop

// An InvocationLogging says where the calls of an account in a Region are
// logged, and what of them (Bedrock's LoggingConfig).
type InvocationLogging struct {
	LogGroup  string // empty for none
	Role      ARN    // that Bedrock assumes to write there
	LargeData Bucket // where bodies go that are too large for a log line
	Bucket    Bucket // log files
	Text      bool
	Image     bool
	Embedding bool
	Video     bool
	Audio     bool
}

// A Bucket names a place in an object store; an empty Name is none.
type Bucket struct {
	Name   string
	Prefix string
}

// Key of an object below the prefix.
func (b Bucket) Key(key string) string {
	if b.Prefix == "" {
		return key
	}
	if b.Prefix[len(b.Prefix)-1] == '/' {
		return b.Prefix + key
	}
	return b.Prefix + "/" + key
}

// A LoggingPlace is an account in a Region: each has an InvocationLogging of
// its own.
type LoggingPlace struct {
	Account AccountID `json:"account"`
	Region  Region    `json:"region"`
}
