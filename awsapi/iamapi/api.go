// Package iamapi answers the operations of IAM: users, groups, roles, policies
// and credentials.
package iamapi
