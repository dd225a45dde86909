package codec

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// NewDataConverter makes the data converter of every Temporal client and worker of Docket: the
// SDK's own conversion, sealed by the codec.
func NewDataConverter(c *Codec) converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)
}

// NewFailureConverter makes the failure converter that goes with a data converter of
// NewDataConverter. It moves messages and stacks into a payload, so that they are sealed as well;
// the type of an application error stays readable, because the server compares it with the types
// that are not retried.
func NewFailureConverter(dc converter.DataConverter) converter.FailureConverter {
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          dc,
		EncodeCommonAttributes: true,
	})
}
