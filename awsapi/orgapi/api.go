// Package orgapi answers the operations of AWS Organizations: accounts, their
// organisational units and service control policies.
package orgapi
