// Package review is what reviewers and other callers do, without a protocol: the Desk. Package
// review/api puts it on HTTP with an OpenAPI description, review/console on server-rendered pages;
// review/intake is the door for flags. Every refusal and every look at a case is on record.
package review
