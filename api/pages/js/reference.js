// The API's description as the server gives it: a classic script, as the library is one.
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
