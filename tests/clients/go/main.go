// franz-go's registry client: register, look up, read back, compatibility, error codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/sr"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func expect(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "not so:", what)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	client := must(sr.NewClient(sr.URLs(os.Args[1])))
	order := sr.Schema{Schema: `{"type":"record","name":"GoOrder","fields":[{"name":"id","type":"string"}]}`}

	made := must(client.CreateSchema(ctx, "go-order-value", order))
	expect(made.ID > 0 && made.Version == 1, "registered as version 1")
	expect(must(client.LookupSchema(ctx, "go-order-value", order)).ID == made.ID, "look-up finds the id")
	expect(must(client.SchemaByVersion(ctx, "go-order-value", -1)).ID == made.ID, "-1 is the latest")
	must(client.SchemaByID(ctx, made.ID))
	expect(len(must(client.SubjectVersions(ctx, "go-order-value"))) == 1, "one version")

	breaking := sr.Schema{Schema: `{"type":"record","name":"GoOrder","fields":[{"name":"must","type":"int"}]}`}
	checked := must(client.CheckCompatibility(ctx, "go-order-value", -1, breaking))
	expect(!checked.Is, "a new field without a default is breaking")

	proto := sr.Schema{Schema: "syntax = \"proto3\";\nmessage Shipment {\n  string id = 1;\n}\n", Type: sr.TypeProtobuf}
	expect(must(client.CreateSchema(ctx, "go-shipment-value", proto)).Type == sr.TypeProtobuf, "protobuf stays protobuf")

	_, err := client.SchemaByVersion(ctx, "go-absent", -1)
	var refused *sr.ResponseError
	expect(errors.As(err, &refused) && refused.ErrorCode == 40401, "40401 for an absent subject")
	must(client.DeleteSubject(ctx, "go-order-value", sr.SoftDelete))
	must(client.DeleteSubject(ctx, "go-order-value", sr.HardDelete))
	fmt.Println("ok")
}
