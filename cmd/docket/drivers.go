package main

// What evidence.bucket may name: object storage that speaks S3.
import _ "gocloud.dev/blob/s3blob"
