/* jansson's loops as cppcheck shall read them: it looks into no system header. */
#define json_array_foreach(list, i, value)                                                                             \
    for ((i) = 0; (i) < json_array_size(list) && ((value) = json_array_get(list, i)); (i)++)
#define json_object_foreach(map, key, value)                                                                           \
    for ((key) = json_next_key(map, NULL); (key) && ((value) = json_object_get(map, key));                             \
         (key) = json_next_key(map, key))
