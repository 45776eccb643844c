/* curl.so: R's libcurl.c and libcurl itself, loaded by internet.so when they are used. */
#include <stddef.h>
#include <Rinternals.h>
#include <R_ext/Connections.h>
#include "curl_routines.h"

SEXP in_do_curlVersion(SEXP call, SEXP op, SEXP args, SEXP rho);
SEXP in_do_curlGetHeaders(SEXP call, SEXP op, SEXP args, SEXP rho);
SEXP in_do_curlDownload(SEXP call, SEXP op, SEXP args, SEXP rho);
Rconnection in_newCurlUrl(const char *description, const char * const mode, SEXP headers, int type);

__attribute__((visibility("default")))
const struct curl_routines r_layer_curl_routines = {
    in_do_curlVersion, in_do_curlGetHeaders, in_do_curlDownload, in_newCurlUrl
};
