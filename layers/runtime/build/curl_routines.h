/* What curl.so offers to internet.so: R's own routines, with the signatures that R's
 * src/include/Rmodules/Rinternet.h gives them. */
struct curl_routines {
    SEXP (*version)(SEXP call, SEXP op, SEXP args, SEXP rho);
    SEXP (*get_headers)(SEXP call, SEXP op, SEXP args, SEXP rho);
    SEXP (*download)(SEXP call, SEXP op, SEXP args, SEXP rho);
    Rconnection (*new_url)(const char *description, const char * const mode, SEXP headers, int type);
};
