// Package webhook acts on a platform of somebody else's: it POSTs every act, reverse, question and
// notice to one address of the platform, signed after Standard Webhooks 1.0.0, and judges what became
// of it by the answer (docs/formats/webhook.md).
//
// One call is one request: nothing here sends again. What an error says about the platform is in its
// code alone. Error texts hold nothing of what the platform answered, which may hold a handle, nothing
// of the message, no path of the address and no secret.
package webhook
