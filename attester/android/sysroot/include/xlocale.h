struct __locale_t;
typedef struct __locale_t* locale_t;
