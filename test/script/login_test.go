package script

import (
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// login keeps the access key in the last answer as a named profile of the aws
// CLI, as "aws configure" would:
//
//	aws iam create-access-key --user-name ann
//	login ann .AccessKey
//	aws sts get-caller-identity --profile ann
func login(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: login NAME .member")
	}
	name := ts.MkAbs("credentials")
	ts.Setenv("AWS_SHARED_CREDENTIALS_FILE", name)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	ts.Check(err)
	defer f.Close()
	fmt.Fprintf(f, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", args[0], member(ts, args[1]+".AccessKeyId"), member(ts, args[1]+".SecretAccessKey"))
	if token := member(ts, args[1]+".SessionToken"); token != "null" {
		fmt.Fprintf(f, "aws_session_token = %s\n", token)
	}
}
