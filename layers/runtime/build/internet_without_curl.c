/* The four routines of R's internet module that need libcurl, for a module that does not link to it.
 *
 * R loads internet.so at the first socketConnection(). Linked as R does it, that brings in libcurl,
 * libssl and libcrypto, which a Lambda runtime that talks plain HTTP to 127.0.0.1 never touches. Here
 * each routine loads curl.so, which stands beside internet.so, when it is called for the first time.
 * R's own sources stay as they are: compile-r.sh links their object files into two modules, not one.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <Rinternals.h>
#include <R_ext/Connections.h>
#include <R_ext/Error.h>
#include "curl_routines.h"

extern char *R_Home;

static const struct curl_routines *curl(void)
{
    static const struct curl_routines *routines = NULL;
    if (!routines) {
        char path[4096];
        snprintf(path, sizeof path, "%s/modules/curl.so", R_Home);
        void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!module)
            Rf_error("libcurl cannot be loaded: %s", dlerror());
        routines = dlsym(module, "r_layer_curl_routines");
        if (!routines)
            Rf_error("%s is not r-layer's curl module", path);
    }
    return routines;
}

SEXP in_do_curlVersion(SEXP call, SEXP op, SEXP args, SEXP rho)
{
    return curl()->version(call, op, args, rho);
}

SEXP in_do_curlGetHeaders(SEXP call, SEXP op, SEXP args, SEXP rho)
{
    return curl()->get_headers(call, op, args, rho);
}

SEXP in_do_curlDownload(SEXP call, SEXP op, SEXP args, SEXP rho)
{
    return curl()->download(call, op, args, rho);
}

Rconnection in_newCurlUrl(const char *description, const char * const mode, SEXP headers, int type)
{
    return curl()->new_url(description, mode, headers, type);
}
