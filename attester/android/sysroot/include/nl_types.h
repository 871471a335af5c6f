typedef struct __nl_catd* nl_catd;
typedef int nl_item;
